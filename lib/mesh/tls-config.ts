import { z } from 'zod'

/** Certificates as Prometheus's tools name them in their files. */
export const TlsConfig = z
  .strictObject({
    ca_file: z.string().optional(),
    cert_file: z.string().optional(),
    key_file: z.string().optional(),
    server_name: z.string().optional(),
    insecure_skip_verify: z.boolean().optional(),
  })
  .optional()

export type TlsConfig = z.output<typeof TlsConfig>
