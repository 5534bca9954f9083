/** What a person sees while they wait; nothing where there is no terminal. */
export type Progress = { update(text: string): void; stop(): void }

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
