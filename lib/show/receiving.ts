import type { ReceiverEvent } from '../share/localsend/receiver/events.ts'
import { plain } from '../base/text.ts'
import { bytesText } from '../base/bytes.ts'

/** What a receiver tells, as a line: data is what arrived, the rest is for who watches. */
export function eventLine(event: ReceiverEvent): { line: string; data: boolean } {
  const from = event.from === '' ? event.address : `${plain(event.from, 60)} (${event.address})`
  switch (event.event) {
    case 'stored':
      return { line: `${plain(event.path, 1000)}  ${bytesText(event.bytes)} from ${from}`, data: true }
    case 'message':
      return { line: `${from} says: ${plain(event.text, 1000)}`, data: true }
    case 'offered': {
      const files = event.files === 1 ? 'a file' : `${event.files} files`
      return { line: `${from} sends ${files}, ${bytesText(event.bytes)}`, data: false }
    }
    case 'failed':
      return { line: `${plain(event.name)} from ${from} did not arrive: ${plain(event.reason)}`, data: false }
    case 'over': {
      const missing = event.missing === 0 ? '' : `, ${event.missing} did not arrive`
      return { line: `${from} is done: ${event.stored} arrived${missing}`, data: false }
    }
    case 'refused':
    default:
      return { line: `refused ${from}: ${plain(event.reason)} (${event.status})`, data: false }
  }
}
