// View of links.

import type { PeerView } from '../../api/control.ts';
import { formatAge, formatBytes } from '../../api/format.ts';
import type { Actions } from '../actions.ts';
import { chip, fieldForm, foreign, iconButton } from '../controls.ts';
import { formatCount } from '../figures.ts';
import { type Model, may } from '../model.ts';
import { type Child, h } from '../sketch.ts';
import { type Column, listTable } from '../table.ts';

export function peersView(model: Model, act: Actions, now: number): Child[] {
  const canAct = may(model, 'operate');
  const connect = fieldForm({
    name: 'address',
    label: 'Address to connect to, HOST or HOST:PORT',
    placeholder: 'HOST or HOST:PORT',
    button: 'Connect',
    icon: 'peers',
    onSubmit: act.connect,
  });
  return [
    ...(canAct ? [connect] : []),
    ...listTable({
      list: 'peers',
      listing: model.lists.peers,
      act,
      caption: 'Peers',
      filter: 'Filter by address or program',
      columns: columns(act, canAct, now),
      keyOf: ({ id }) => id,
      empty: canAct ? 'No connections. Enter the address of a servent to connect to.' : 'No connections.',
    }),
  ];
}

function columns(act: Actions, canAct: boolean, now: number): Column<PeerView>[] {
  return [
    {
      title: 'Address',
      sort: 'address',
      kind: 'name',
      cell: ({ address, direction, deflate }) => [
        foreign(address),
        h('small', {}, `${direction}${deflate ? ', compressed' : ''}`),
      ],
    },
    { title: 'Role', sort: 'role', cell: ({ role }) => chip(role === 'ultrapeer' ? 'good' : 'quiet', role) },
    { title: 'Program', sort: 'userAgent', cell: ({ userAgent }) => foreign(userAgent ?? 'unnamed') },
    { title: 'Since', sort: 'since', kind: 'number', cell: ({ since }) => formatAge(since, now) },
    {
      title: 'Messages in, out',
      sort: 'messages.in',
      kind: 'number',
      cell: ({ messages }) => `${formatCount(messages.in)} / ${formatCount(messages.out)}`,
    },
    {
      title: 'Bytes in, out',
      sort: 'bytes.in',
      kind: 'number',
      cell: ({ bytes }) => `${formatBytes(bytes.in)} / ${formatBytes(bytes.out)}`,
    },
    { title: 'Dropped', sort: 'dropped', kind: 'number', cell: ({ dropped }) => formatCount(dropped) },
    ...(canAct
      ? [
          {
            title: 'Actions',
            kind: 'actions' as const,
            cell: (peer: PeerView) => [
              iconButton('searches', `Browse the files of ${peer.address}`, () => act.browse(peer.address)),
              iconButton('cancel', `Disconnect ${peer.address}`, () => act.disconnect(peer)),
            ],
          },
        ]
      : []),
  ];
}
