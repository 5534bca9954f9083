import { z } from 'zod'

/** Where LocalSend listens, and where its parts are found there. */
export const PORT = 53317
export const PREFIX = '/api/localsend/v2/'
/** The version of the protocol that this program tells others it speaks. */
export const VERSION = '2.2'

const optionalText = z.string().nullish().catch(null)

/** What an agent that receives says of itself: beyond the protocol, and unknown to other software. */
export const Agent = z.object({ id: z.string(), capabilities: z.array(z.string()) })
export type Agent = z.infer<typeof Agent>

/** How a device introduces itself. What is missing or of another type reads as the specification's default. */
export const Info = z.object({
  alias: z.string().catch(''),
  version: z.string().catch('1.0'),
  deviceModel: optionalText,
  deviceType: z.enum(['mobile', 'desktop', 'web', 'headless', 'server']).catch('desktop'),
  fingerprint: z.string().catch(''),
  port: z.int().min(1).max(65_535).catch(PORT),
  protocol: z.enum(['http', 'https']).catch('https'),
  download: z.boolean().catch(false),
  agent: Agent.optional().catch(undefined),
})
export type Info = z.infer<typeof Info>

const OfferedFile = z.object({
  fileName: z.string().min(1).max(4096),
  /** Bytes. */
  size: z.int().min(0),
  fileType: z.string().catch(''),
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/i)
    .toLowerCase()
    .nullish(),
  /** The text, where what is sent is a message and no file. */
  preview: optionalText,
  metadata: z.object({ modified: optionalText, accessed: optionalText }).nullish().catch(null),
})
export type OfferedFile = z.infer<typeof OfferedFile>

export const PrepareUpload = z.object({ info: Info, files: z.record(z.string().max(512), OfferedFile) })
export type PrepareUpload = z.infer<typeof PrepareUpload>

/** What the receiver answers to an offer: a token for each file that it takes. */
export const Accepted = z.object({ sessionId: z.string().min(1), files: z.record(z.string(), z.string()) })
export type Accepted = z.infer<typeof Accepted>

/** What may be told with a refusal. */
export const Refusal = z.object({ message: z.string() })
