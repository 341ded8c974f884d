// Reads small XML documents of routers: the texts of elements, by name without prefix.
import { SaxesParser } from 'saxes';
import { ProtocolError } from '../errors.ts';

/** Descriptions of real routers have 3 to 20 KiB. */
export const XML_BYTES_MAX = 65_536;
const DEPTH_MAX = 32;

export interface XmlSink {
  open?(name: string): void;
  /** `text`: of the element alone, without blanks around it. */
  close(name: string, text: string): void;
}

/** Throws ProtocolError. */
export function readXml(bytes: Buffer, sink: XmlSink): void {
  if (bytes.length > XML_BYTES_MAX) throw new ProtocolError('WIRE_TOO_LONG', 'a document of the router is too long');
  const texts: string[] = [];
  const parser = new SaxesParser();
  parser.on('error', error => {
    throw new ProtocolError('WIRE_MALFORMED', `a document of the router is no XML: ${error.message.slice(0, 80)}`);
  });
  parser.on('opentag', ({ name }) => {
    if (texts.length >= DEPTH_MAX) throw new ProtocolError('WIRE_MALFORMED', 'a document of the router is too deep');
    texts.push('');
    sink.open?.(bare(name));
  });
  parser.on('text', text => {
    if (texts.length > 0) texts[texts.length - 1] += text;
  });
  parser.on('closetag', ({ name }) => sink.close(bare(name), (texts.pop() ?? '').trim()));
  parser.write(bytes.toString('utf8')).close();
}

function bare(name: string): string {
  return name.slice(name.indexOf(':') + 1);
}

export function escapeXml(text: string): string {
  return text.replace(/[<>&"']/g, sign => `&#${sign.charCodeAt(0)};`);
}
