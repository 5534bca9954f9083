import { execa } from 'execa'

const { failed } = await execa('promtool', ['--version'], { reject: false })

const { failed: noServer } = await execa('prometheus', ['--version'], { reject: false })

/** The same of tests that need the server itself, which is in that package too. */
export const withoutPrometheus = noServer && process.env.CI !== 'true'

/** Whether tests that need promtool (Debian package `prometheus`) are left out; in CI they fail instead. */
export const withoutPromtool = failed && process.env.CI !== 'true'

/** What promtool says, on either of its outputs. */
export async function promtool(args: readonly string[], input = '') {
  const { exitCode, all } = await execa('promtool', args, { input, all: true, reject: false })
  return { exitCode, said: all }
}

/** What `promtool check metrics` says of a file for node_exporter. */
export async function promtoolCheck(text: string): Promise<{ exitCode: number | undefined; said: string }> {
  return await promtool(['check', 'metrics'], text)
}
