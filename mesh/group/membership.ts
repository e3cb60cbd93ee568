/**
 * Group membership and its status byte. Each JOIN and each LEAVE moves the status by one, modulo 256, and carries the
 * value after the change; libzyre aborts its process when the value differs from its own copy, so it has to be exact.
 */
export type Membership = { readonly groups: ReadonlySet<string>; readonly status: number };

export const noMembership: Membership = { groups: new Set(), status: 0 };

export function joined(membership: Membership, group: string): Membership {
  return { groups: new Set(membership.groups).add(group), status: (membership.status + 1) & 0xff };
}

export function left(membership: Membership, group: string): Membership {
  const groups = new Set(membership.groups);
  groups.delete(group);
  return { groups, status: (membership.status + 1) & 0xff };
}
