import { Failure, UsageError } from '../../lib/base/errors.ts'
import { standalone } from '../../lib/base/own-program.ts'
import { quoted } from '../../lib/base/text.ts'
import { cronLine } from '../../lib/monitor/cron-line.ts'
import { asBytes, asText, readCrontab, writeCrontab } from '../../lib/monitor/crontab-command.ts'
import { blockOf, install, remove } from '../../lib/monitor/crontab.ts'
import { systemdUnits } from '../../lib/monitor/systemd.ts'
import { EVERY_MINUTES } from '../bounds.ts'
import { timeoutMsOf } from '../timeout.ts'
import type { Deps } from '../verb.ts'
import { outletFlags, type Outlets } from './outlets.ts'
import type {
  CronInput,
  CronInstallInput,
  CronInstallResult,
  CronRemoveResult,
  CronShowResult,
  CronUnitsInput,
  CronUnitsResult,
} from './schemas.ts'

/** Puts the block into the crontab, in the place of the one that is there. @throws UsageError, Failure, Refused */
export async function cronInstall(input: CronInstallInput, deps: Deps): Promise<CronInstallResult> {
  const limits = { timeoutMs: timeoutMsOf(input), signal: deps.signal }
  const argv = monitorArgv(input)
  const before = await readCrontab(limits)
  const every = input.everyMinutes ?? EVERY_MINUTES.usual
  const line = cronLine(every, argv, input.alert === undefined ? '' : '>/dev/null')
  const after = install(before, [asBytes(line)])
  if (after !== before) await writeCrontab(after, limits)
  return { changed: after !== before, lines: (blockOf(after) ?? []).map(asText) }
}

/** A systemd user service and its timer that do the same; nothing is installed. @throws UsageError */
export async function cronUnits(input: CronUnitsInput): Promise<CronUnitsResult> {
  return { units: systemdUnits(input.everyMinutes ?? EVERY_MINUTES.usual, monitorArgv(input)) }
}

/** The block in the crontab, if there is one. @throws Failure, Refused when it is damaged */
export async function cronShow(input: CronInput, { signal }: Deps): Promise<CronShowResult> {
  const block = blockOf(await readCrontab({ timeoutMs: timeoutMsOf(input), signal }))
  return { installed: block !== undefined, lines: (block ?? []).map(asText) }
}

/** Takes the block out of the crontab; the rest stays as it is, to the byte. @throws Failure, Refused */
export async function cronRemove(input: CronInput, { signal, hint }: Deps): Promise<CronRemoveResult> {
  const limits = { timeoutMs: timeoutMsOf(input), signal }
  const before = await readCrontab(limits)
  const after = remove(before)
  if (after === before) return { changed: false }
  await writeCrontab(after, limits).catch(async (error: unknown) => {
    // Debian's cron runs a crontab whose last line has no newline, but takes none.
    if (!(error instanceof Failure) || after === undefined || after.endsWith('\n')) throw error
    await writeCrontab(`${after}\n`, limits)
    hint('cron wanted a newline at the end of the last line')
  })
  return { changed: true }
}

/** What cron is to run, with absolute paths: it has neither this folder nor this PATH. @throws UsageError */
function monitorArgv(outlets: Outlets): string[] {
  const argv = standalone('node-trit', ['--quiet', '--alone', ...outletFlags(outlets)])
  const broken = argv.find((word) => /[\n\r\0]/.test(word))
  if (broken !== undefined)
    throw new UsageError(
      `a crontab has no place for the line break in ${quoted(broken)}: put it into a script`,
    )
  return argv
}
