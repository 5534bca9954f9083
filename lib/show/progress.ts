import type { Deps, Progress } from '../../verbs/verb.ts'

/** A spinner on a terminal that has a width. What it shows is gone when it stops. */
export async function progress(stream: NodeJS.WriteStream, text: string, wanted: boolean): Promise<Progress> {
  if (!wanted || !stream.isTTY || !stream.columns) return { update: () => {}, stop: () => {} }
  // Loaded only where it is seen: runs from cron and in pipes start sooner.
  const { default: ora } = await import('ora')
  const spinner = ora({ text, stream, discardStdin: false }).start()
  return {
    update: (next) => {
      spinner.text = next
    },
    stop: () => spinner.stop(),
  }
}

/** Progress with lines below it, which are gone with it when it stops. */
export function withLinesBelow(begin: Deps['progress']) {
  let lines: readonly string[] = []
  let redraw = () => {}
  return {
    show: (now: readonly string[]) => {
      lines = now
      redraw()
    },
    progress: async (text: string): Promise<Progress> => {
      const { update, stop } = await begin(text)
      const draw = (next: string, share?: number) => {
        redraw = () => update([next, ...lines].join('\n'), share)
        redraw()
      }
      return { update: draw, stop }
    },
  }
}
