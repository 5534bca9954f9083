import { fileURLToPath } from 'node:url'
import { execa } from 'execa'

const ROOT = fileURLToPath(new URL('..', import.meta.url))

export type Ran = { stdout: string; stderr: string; exitCode: number | undefined; seconds: number }

/** Runs one of the scripts as the justfile does, without a terminal and with no more environment than said. */
export async function runScript(
  name: string,
  args: string[],
  env: Record<string, string> = {},
): Promise<Ran> {
  const began = performance.now()
  const { stdout, stderr, exitCode } = await execa(
    process.execPath,
    [`${ROOT}cli/start.mjs`, `scripts/${name}.ts`, ...args],
    {
      env: { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '/', ...env },
      extendEnv: false,
      stdin: 'ignore',
      reject: false,
      timeout: 120_000,
    },
  )
  return { stdout, stderr, exitCode, seconds: (performance.now() - began) / 1000 }
}
