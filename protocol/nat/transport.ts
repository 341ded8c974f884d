// The transports whose ports a router forwards.

export type Transport = 'tcp' | 'udp';
