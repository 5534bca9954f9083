import type { Limits } from '../../base/command.ts'
import { Failure } from '../../base/errors.ts'
import { plain } from '../../base/text.ts'
import { SAMPLE_AGE_SECONDS } from '../../model/policy.ts'
import type { MeshNode, Report } from '../node.ts'
import { nodeAt, ownNames } from '../nodes.ts'
import { readBucket, type Entry } from './bucket.ts'
import { BadRecord, marksAfter, parseRecord } from './record.ts'
import type { NatsSettings } from './settings.ts'
import { isNodeName } from './subjects.ts'

/** Records that may be missed, and seconds for what is slow on the way. */
const MISSED = 3
const SLACK_SECONDS = 5

/**
 * What the machines of a bucket say of themselves. One whose record is old or makes no sense has an outcome and no
 * measurement; one whose record is gone is not there.
 *
 * @throws Failure in one line when the server can't be asked, or no machine has a record there; the signal's reason
 */
export async function natsMesh(settings: NatsSettings, limits: Limits): Promise<{ reports: Report[] }> {
  const { entries, serverMs } = await readBucket(settings, limits)
  if (entries.length === 0)
    throw new Failure(
      `NATS at ${settings.server} has no machine in the bucket ${settings.bucket}: just agent, on each, puts it there`,
    )
  const own = ownNames()
  return { reports: entries.map((entry) => reportOf(entry, serverMs, own)) }
}

/** A report of what stands under a key, at a time by the server's clock. */
export function reportOf(
  { key, value, createdMs }: Entry,
  serverMs: number,
  own: ReadonlySet<string> = ownNames(),
): Report {
  const bad = (reason: string): Report => ({ node: unknownNode(key, own), outcome: 'bad-output', reason })
  if (!isNodeName(key)) return bad('its key is no name of a machine')
  try {
    const { measurement, intervalSeconds } = parseRecord(key, value)
    const node = nodeAt(key, measurement.os, own)
    const ageSeconds = Math.max(0, serverMs - createdMs) / 1000
    const mostSeconds = Math.min(SAMPLE_AGE_SECONDS, MISSED * intervalSeconds + SLACK_SECONDS)
    if (ageSeconds > mostSeconds)
      return { node, outcome: 'timeout', reason: `its record is ${Math.round(ageSeconds)} s old` }
    const { receiver, ...load } = measurement
    return {
      node,
      outcome: 'ok',
      measurement: receiver ? { ...load, receiver: marksAfter(receiver, ageSeconds) } : load,
      ageMs: ageSeconds * 1000,
    }
  } catch (error) {
    if (!(error instanceof BadRecord)) throw error
    return bad(error.message)
  }
}

/** One of which its key is all that is known. Names that are none are written so that they are like no other. */
function unknownNode(key: string, own: ReadonlySet<string>): MeshNode {
  if (isNodeName(key)) return nodeAt(key, 'unknown', own)
  return { name: plain(encodeURIComponent(key), 200), address: '', os: 'unknown', self: false }
}
