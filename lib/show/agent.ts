import type { AgentEvent } from '../../verbs/watch/schemas.ts'
import { bytesText } from '../base/bytes.ts'
import { plain } from '../base/text.ts'

/** What an agent tells, as a line for its log; undefined of what is as it should be, time and again. */
export function agentLine(event: AgentEvent): string | undefined {
  switch (event.event) {
    case 'connected':
      return `${event.name} tells its load to NATS at ${event.server}`
    case 'published': {
      // Its own cost is told once it is settled, and then each time that it has told ten times as much.
      if (!/^10+$/.test(String(event.count))) return undefined
      const cost = `${event.cpuPercent.toFixed(2)} % of a CPU, ${bytesText(event.rssBytes)}`
      return `${event.name} has told its load ${event.count} times; that took ${cost}`
    }
    case 'failed':
      return `not measured: ${plain(event.reason)}`
    case 'lost':
      return `${plain(event.reason)}; again in ${event.againInSeconds.toFixed(0)} s`
    case 'removed':
    default:
      return `${event.name} tells its load no more`
  }
}
