/**
 * Where things are in a bucket. Readers have an account of their own: in the bucket's, whoever may ask for anything could
 * name a machine's key as the subject of the reply, and what the server answers would stand there. Their requests come in
 * by `BUCKET.api`, and what they read goes out by `BUCKET.read`.
 */
export function subjectsOf(bucket: string) {
  return {
    stream: `KV_${bucket}`,
    all: `$KV.${bucket}.>`,
    keyOf: (name: string) => `$KV.${bucket}.${name}`,
    readersApi: `${bucket}.api`,
    readersInbox: `${bucket}.read`,
  }
}

/**
 * Whether a machine may be called so: a key of a bucket, words of letters, digits, `_` and `-` with dots between them,
 * which none of NATS's wildcards is.
 */
export function isNodeName(text: string): boolean {
  return text.length <= 63 && /^[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*$/.test(text)
}

/** What it may be, for who wrote another one. */
export const NODE_NAME = 'letters, digits, _ and -, and dots between them, 63 at most'
