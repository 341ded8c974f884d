// Settings of the admin API: where it listens, and whom it answers.
import { fileOrNone, hostName, integer, listenAddress, listOf, webOrigin, yesOrNo } from './kinds.ts';
import { setting } from './setting.ts';

export const apiSettings = {
  host: setting(listenAddress, {
    flag: '--api-host <addr>',
    default: '127.0.0.1',
    doc: 'Address to listen on for the admin API. Callers still need the token.',
  }),
  port: setting(integer(0, 65535), {
    flag: '--api-port <n>',
    default: 8346,
    doc: 'Port to listen on for the admin API. 0: any free port.',
  }),
  socket: setting(yesOrNo, {
    flag: '--no-api-socket',
    default: true,
    doc: 'Also serve the API on the Unix socket `api.sock` of the data folder. Only its owner can open it, without a token.',
  }),
  web: setting(yesOrNo, {
    flag: '--no-web',
    change: 'hot',
    default: true,
    doc: 'Serve a web page at the address of the admin API. It asks for the token.',
  }),
  hostNames: setting(listOf(hostName, ','), {
    flag: '--api-host-name <name>',
    default: () => [],
    doc: 'Host names of the admin API besides addresses and `localhost`, such as those of a container or reverse proxy. Others are refused, which prevents DNS rebinding by web pages.',
  }),
  corsOrigins: setting(listOf(webOrigin, ','), {
    flag: '--api-cors-origin <origin>',
    default: () => [],
    doc: 'Other web origins that may call the admin API, with a token.',
  }),
  tlsCert: setting(fileOrNone, {
    flag: '--api-tls-cert <file>',
    default: '',
    defaultText: 'none',
    doc: 'Certificate chain (PEM) for HTTPS on the admin API; together with `api.tlsKey`.',
  }),
  tlsKey: setting(fileOrNone, {
    flag: '--api-tls-key <file>',
    default: '',
    defaultText: 'none',
    doc: 'Private key (PEM) of `api.tlsCert`.',
  }),
};
