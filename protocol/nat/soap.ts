// Calls of a router's actions by UPnP, and their answers (SOAP 1.1).
import { escapeXml, readXml } from './xml-text.ts';

const VALUES_MAX = 64;

export type SoapAnswer =
  | { readonly kind: 'values'; readonly values: ReadonlyMap<string, string> }
  | { readonly kind: 'fault'; readonly code: number; readonly text: string };

export function encodeCall(
  service: string,
  action: string,
  args: readonly (readonly [string, string | number])[],
): Buffer {
  const fields = args.map(([name, value]) => `<${name}>${escapeXml(String(value))}</${name}>`).join('');
  return Buffer.from(
    '<?xml version="1.0"?>\r\n' +
      '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" s:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/">' +
      `<s:Body><u:${action} xmlns:u="${service}">${fields}</u:${action}></s:Body></s:Envelope>\r\n`,
  );
}

/** Throws ProtocolError. */
export function parseSoapAnswer(bytes: Buffer): SoapAnswer {
  const values = new Map<string, string>();
  readXml(bytes, {
    close: (name, text) => {
      if (values.size < VALUES_MAX) values.set(name, text);
    },
  });
  if (!values.has('Fault')) return { kind: 'values', values };
  const code = Number(values.get('errorCode'));
  const text = values.get('errorDescription') ?? values.get('faultstring') ?? '';
  return { kind: 'fault', code: Number.isSafeInteger(code) ? code : 501, text };
}
