/** What every recipe that looks at the mesh takes. */
export const meshOptions = {
  hosts: { type: 'string', multiple: true },
  'hosts-file': { type: 'string', multiple: true },
  exclude: { type: 'string', multiple: true },
  fanout: { type: 'string' },
} as const
