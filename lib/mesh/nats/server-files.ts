import { MOST_RECORD_BYTES } from './record.ts'
import { subjectsOf } from './subjects.ts'

/**
 * The files of a nats-server that keeps a mesh, as `just nats-setup` writes them and a person reads them. What each line is
 * for stands beside it.
 */

/** The server's own configuration. It names nobody: that is in the two files that it includes. */
export function serverText(bucket: string, { listen, store }: { listen: string; store: string }): string {
  const { stream, readersApi, readersInbox } = subjectsOf(bucket)
  const requests = [
    `STREAM.INFO.${stream}`,
    `CONSUMER.CREATE.${stream}.>`,
    `CONSUMER.INFO.${stream}.>`,
    `CONSUMER.DELETE.${stream}.>`,
  ]
  const exported = requests.map((each) => `      { service: "$JS.API.${each}", accounts: [READERS] }`)
  const imported = requests.map(
    (each) => `      { service: { account: MESH, subject: "$JS.API.${each}" }, to: "${readersApi}.${each}" }`,
  )
  return `# nats-server -c server.conf        and after a change: nats-server --signal reload
# Written by just nats-setup, and yours to change: it is not written again.

listen: ${JSON.stringify(listen)}

# What goes over a tailnet is encrypted already. Elsewhere give the server a certificate:
# tls { cert_file: "server-cert.pem", key_file: "server-key.pem" }

# A record has ${MOST_RECORD_BYTES} bytes at most.
max_payload: 64KB

jetstream {
  store_dir: ${JSON.stringify(store)}
  max_memory_store: 64MB
  max_file_store: 1GB
}

accounts {
  # The bucket, and the machines that may put something under their own name into it.
  MESH {
    jetstream: enabled
    include "nodes.conf"
    exports: [
${exported.join('\n')}
      { service: "$JS.FC.${stream}.>", accounts: [READERS] }
      { stream: "${readersInbox}.>", accounts: [READERS] }
    ]
  }
  # Who reads has an account apart. In the other one, a request that names a machine's key as the subject of its reply
  # would have the server's answer stand there; from here, replies stay here.
  READERS {
    include "readers.conf"
    imports: [
${imported.join('\n')}
      { service: { account: MESH, subject: "$JS.FC.${stream}.>" } }
      { stream: { account: MESH, subject: "${readersInbox}.>" } }
    ]
  }
}
`
}

/** Those who read the bucket. */
export function readersText(bucket: string, publicKey: string): string {
  const { stream, readersApi, readersInbox } = subjectsOf(bucket)
  return `# All who look at the mesh have the seed in reader.nk.
users: [
  { nkey: ${publicKey}, permissions: { publish: ["${readersApi}.>", "$JS.FC.${stream}.>"], subscribe: ["${readersInbox}.>"] } }
]
`
}

const NODES_END = ']\n'

/** The users of the bucket's account: its owner, who may do everything there, and no machine yet. */
export function nodesText(ownerKey: string): string {
  return `# A line for each machine; without its line, after a reload, it is not let in any more.
users: [
  { nkey: ${ownerKey} } # the owner, who has made the bucket: owner.nk
${NODES_END}`
}

/** The same with one more machine, which may do nothing but publish under its own name. Undefined where the text is another. */
export function withNode(text: string, bucket: string, name: string, publicKey: string): string | undefined {
  if (!text.endsWith(`\n${NODES_END}`)) return undefined
  const key = JSON.stringify(subjectsOf(bucket).keyOf(name))
  const line = `  { nkey: ${publicKey}, permissions: { publish: [${key}], subscribe: { deny: [">"] } } } # ${name}\n`
  return text.slice(0, -NODES_END.length) + line + NODES_END
}

/** Whether a machine has a line of its own. */
export function hasNode(text: string, bucket: string, name: string): boolean {
  return text.includes(`publish: [${JSON.stringify(subjectsOf(bucket).keyOf(name))}]`)
}

/** How the stream of the bucket is made: what JetStream's API takes, and what keeps a machine to its own key. */
export function bucketConfig(bucket: string, ttlSeconds: number) {
  const { stream, all } = subjectsOf(bucket)
  return {
    name: stream,
    description: 'what each machine says of its load',
    subjects: [all],
    // Only what a machine said last is kept, and not for long.
    max_msgs_per_subject: 1,
    max_age: ttlSeconds * 1_000_000_000,
    max_msg_size: MOST_RECORD_BYTES,
    storage: 'file',
    num_replicas: 1,
    discard: 'new',
    // An acknowledgement goes to any subject that the sender names, also to the key of another machine.
    no_ack: true,
    // A message that says Nats-Rollup would take the place of all others.
    allow_rollup_hdrs: false,
    allow_direct: false,
    deny_delete: true,
    deny_purge: true,
  } as const
}
