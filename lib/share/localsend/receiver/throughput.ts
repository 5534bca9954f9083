import { z } from 'zod'
import type { Callers } from './addresses.ts'
import { watchPace, type ReceiverLimits } from './limits.ts'
import { Rejected, type Asked, type Reply } from './request.ts'

/**
 * Where a receiver of this program takes bytes that it throws away, so that others can measure the way to it. LocalSend
 * itself has nothing of the kind: software of others answers that there is no such page.
 */
export const THROUGHPUT_PATH = 'x-resource-sharing-throughput'

/** How much has arrived, as the receiver counted it. */
export const Arrived = z.object({ bytes: z.int().min(0) })

/** Takes what comes and keeps nothing of it, from this machine and its tailnet only. */
export class ThroughputSink {
  #open = 0

  /** @throws Rejected */
  async take({ address, message }: Asked, callers: Callers, limits: ReceiverLimits): Promise<Reply> {
    if (callers.classOf(address) !== 'own') throw new Rejected(403, 'only for this tailnet')
    if (this.#open >= limits.measurementsAtOnce) throw new Rejected(429, 'too many measurements')
    this.#open += 1
    let bytes = 0
    const late = () => message.destroy(new Error('it came too slowly'))
    const unwatch = watchPace(limits.pace, () => bytes, late)
    try {
      for await (const chunk of message.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
        bytes += chunk.length
        if (bytes > limits.measurementBytes) throw new Rejected(413, 'more than is measured')
      }
    } catch (error) {
      if (error instanceof Rejected) throw error
      throw new Rejected(408, 'the connection broke')
    } finally {
      unwatch()
      this.#open -= 1
    }
    return { status: 200, body: { bytes } satisfies z.infer<typeof Arrived> }
  }
}
