import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { expect, onTestFinished, test } from 'vitest'

const ROOT = join(import.meta.dirname, '../..')

async function picture(screens: readonly string[], ...flags: string[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'rs-test-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const files = screens.map((_, index) => join(folder, `${index}.ansi`))
  for (const [index, file] of files.entries()) await writeFile(file, screens[index] ?? '')
  const { stdout } = await execa(
    process.execPath,
    ['--import', 'tsx', 'tools/terminal-picture.ts', ...flags, ...files],
    { cwd: ROOT },
  )
  return stdout
}
/** Of each text or ground of a picture: where it begins, its colour, and what stands there. */
const parts = (svg: string) =>
  [...svg.matchAll(/<(?:text|rect) x="([\d.]+)".*? fill="([^"]+)"[^>]*>(?:([^<]*)<\/text>)?/g)].map(
    ([, x = '', colour = '', text]) => [Math.round((Number(x) - 14) / 8.43), colour, text],
  )

test('a screen is a picture: its own colours, 256, all, and backgrounds', async () => {
  const screen = [
    '\u001B[31mred\u001B[39m \u001B[38;5;9mbright\u001B[0m \u001B[38;5;208morange\u001B[0m \u001B[38;5;244mgrey',
    '\u001B[48;5;21;1mblue\u001B[0m\u001B[38;2;1;2;3mexact\u001B[39m \u001B[7m> \u001B[27m<&',
  ].join('\n')
  expect(parts(await picture([screen]))).toEqual([
    [0, '#ff7b72', 'red'],
    [4, '#ffa198', 'bright'],
    [11, 'rgb(255,135,0)', 'orange'],
    [18, 'rgb(128,128,128)', 'grey'],
    [0, 'rgb(0,0,255)', undefined],
    [0, '#e6edf3', 'blue'],
    [4, 'rgb(1,2,3)', 'exact'],
    [10, '#e6edf3', undefined],
    [10, '#0d1117', '&gt; '],
    [12, '#e6edf3', '&lt;&amp;'],
  ])
})

test('with a light background the same colours are darker ones, and an inverse line is light on dark', async () => {
  const [red, dim, ground, chosen] = parts(
    await picture(['\u001B[31mred\n\u001B[0;2mold\u001B[0m\n\u001B[7mchosen'], '--light'),
  )
  expect([red?.[1], dim?.[1], ground?.[1], chosen?.[1]]).toEqual(['#cf222e', '#656d76', '#1f2328', '#ffffff'])
})

test('several screens follow each other', async () => {
  const svg = await picture(['one', 'two'])
  expect(svg.match(/<g class="s"/g)).toHaveLength(2)
  expect(svg).toContain('animation:s 6s')
})
