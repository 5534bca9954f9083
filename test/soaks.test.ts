import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { SOAKS } from './soaks.ts'

const repeated = Object.entries(SOAKS).flatMap(([name, { test: of }]) => (of ? [{ name, ...of }] : []))

test.each(repeated)(
  '$name repeats a test that there is, and that asks for its rounds',
  async ({ file, title }) => {
    const text = await readFile(new URL(`../${file}`, import.meta.url), 'utf8')
    expect(text).toContain(title)
    expect(text).toMatch(/\brounds\(\d+\)/)
  },
)
