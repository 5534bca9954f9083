import { TIMEOUT_SECONDS } from './bounds.ts'

/** Milliseconds that an input leaves for everything, from the call on, or what is usual. */
export function timeoutMsOf(
  { timeoutSeconds }: { timeoutSeconds?: number | undefined },
  usualSeconds: number = TIMEOUT_SECONDS.usual,
): number {
  return (timeoutSeconds ?? usualSeconds) * 1000
}
