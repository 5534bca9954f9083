import { execa } from 'execa'

const { failed } = await execa('promtool', ['--version'], { reject: false })

/** Whether tests that need promtool (Debian package `prometheus`) are left out; in CI they fail instead. */
export const withoutPromtool = failed && process.env.CI !== 'true'

/** What `promtool check metrics` says of a file for node_exporter. */
export async function promtoolCheck(text: string): Promise<{ exitCode: number | undefined; said: string }> {
  const { exitCode, all } = await execa('promtool', ['check', 'metrics'], {
    input: text,
    all: true,
    reject: false,
  })
  return { exitCode, said: all }
}
