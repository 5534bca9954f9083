import { open, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { journalsDir, OUTCOMES } from './folder.ts'

/** One line of the history: a migration that is over everywhere. */
const Past = z.object({
  at: z.string(),
  id: z.string(),
  from: z.string(),
  to: z.string(),
  pid: z.number(),
  command: z.string(),
  outcome: z.enum(OUTCOMES),
  detail: z.string(),
})
export type Past = z.infer<typeof Past>

async function file(): Promise<string> {
  return join(await journalsDir(), 'history.jsonl')
}

/** The migrations that are over, the oldest first. A line that is none is passed over. */
export async function pastMigrations(): Promise<Past[]> {
  const text = await readFile(await file(), 'utf8').catch(() => '')
  return text.split('\n').flatMap((line) => {
    try {
      return Past.safeParse(JSON.parse(line)).data ?? []
    } catch {
      return []
    }
  })
}

/** Changes whenever one is added: for who asks again and again. */
export async function historySize(): Promise<number> {
  return await stat(await file()).then(
    ({ size }) => size,
    () => 0,
  )
}

export async function remember(past: Past): Promise<void> {
  const history = await open(await file(), 'a', 0o600)
  try {
    await history.appendFile(`${JSON.stringify(past)}\n`)
  } finally {
    await history.close()
  }
}
