// The service of a router that forwards ports, as its description names it.
import { ProtocolError } from '../errors.ts';
import { urlWithin } from './ssdp.ts';
import { readXml } from './xml-text.ts';

export interface UpnpService {
  readonly type: string;
  readonly control: URL;
  /** It chooses another port itself when the wished one is taken (WANIPConnection:2). */
  readonly choosesPort: boolean;
}

const KINDS = [
  'urn:schemas-upnp-org:service:WANIPConnection:2',
  'urn:schemas-upnp-org:service:WANIPConnection:1',
  'urn:schemas-upnp-org:service:WANPPPConnection:1',
] as const;
const SERVICES_MAX = 64;

/** The best of those in a description that was read at `location`. Throws ProtocolError: it is unreadable, has none, or names another host. */
export function serviceIn(description: Buffer, location: URL): UpnpService {
  const found: { type: string; control: string }[] = [];
  let type = '';
  let control = '';
  readXml(description, {
    open: name => {
      if (name !== 'service') return;
      type = '';
      control = '';
    },
    close: (name, text) => {
      if (name === 'serviceType') type = text;
      else if (name === 'controlURL') control = text;
      else if (name === 'service' && found.length < SERVICES_MAX) found.push({ type, control });
    },
  });
  for (const kind of KINDS) {
    const service = found.find(one => one.type === kind);
    if (service === undefined) continue;
    const host = location.hostname.replace(/^\[|\]$/g, '');
    return { type: kind, control: urlWithin(service.control, host, location), choosesPort: kind.endsWith(':2') };
  }
  throw new ProtocolError('WIRE_MALFORMED', 'the router has no service that forwards ports');
}
