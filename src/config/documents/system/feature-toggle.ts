// Switches for parts of the product that an installation may not want to offer (spec control-plane 1.8). A configuration
// that does not speak of a toggle leaves it to whoever asks: the console hides what is not switched on, and a folder,
// whose author wrote both, is held only to what it says.
import { Type } from 'typebox'
import { partSchema } from '../common.ts'
import { defineSystemEntry } from './system-entry.ts'

const toggle = (description: string, waiting: { readonly waitsFor?: string } = {}) =>
  Type.Optional(Type.Boolean({ description, ...waiting }))

export const featureToggle = defineSystemEntry({
  id: 'feature-toggle',
  description:
    'What is offered. A certificate of a side whose toggle is false is refused; a folder without the toggle may have it.',
  schema: partSchema({
    'ssl-client-to-v5-client-ca-certificate': toggle('CAs of clients (side clientCA). Shipped: false.'),
    'ssl-server-to-backend-mtls-certificate': toggle(
      'Certificates shown to origins (side serverToBackendMTLS). Shipped: false.',
    ),
    'ssl-server-to-backend-ca-certificate': toggle('CAs of origins (side backendCA). Shipped: false.'),
    'certificate-letsencrypt': toggle("Issuing by Let's Encrypt. Default: true.", {
      waitsFor: "certificates of Let's Encrypt",
    }),
    'certificate-download': toggle('Download of keys and PFX files. Default: true.', {
      waitsFor: 'a console',
    }),
  }),
  example: {
    'ssl-client-to-v5-client-ca-certificate': true,
    'ssl-server-to-backend-mtls-certificate': false,
    'ssl-server-to-backend-ca-certificate': false,
    'certificate-letsencrypt': true,
    'certificate-download': true,
  },
  parse: (toggles) => ({ toggles }),
})
