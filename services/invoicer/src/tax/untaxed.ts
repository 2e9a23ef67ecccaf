import type { TaxProvider } from './port.ts'

/** For tenants that charge no tax, or whose prices are taxed elsewhere: no line bears any. */
export const untaxed: TaxProvider = {
  name: 'none',
  version: '1',
  calculate: async ({ lines }) => ({
    provider: 'none',
    version: '1',
    lines: lines.map(({ id }) => ({ id, taxes: [] })),
  }),
}
