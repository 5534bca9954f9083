import { z } from 'zod'

const Ssh = z.object({
  host: z.string(),
  user: z.string().exactOptional(),
  port: z.int().exactOptional(),
  tailnet: z.object({ ip: z.string(), dnsName: z.string(), hostKeys: z.array(z.string()) }).exactOptional(),
})

/** A `Host` as journals and the spool keep it: a later run, of another day, reaches the same machine. */
export const Place = z.object({ name: z.string(), ssh: Ssh.exactOptional() })
