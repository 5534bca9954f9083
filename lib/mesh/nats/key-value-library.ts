/** The part of it that reads a bucket: who only writes there does without. */
export { jetstream } from '@nats-io/jetstream'
export { Kvm } from '@nats-io/kv'
