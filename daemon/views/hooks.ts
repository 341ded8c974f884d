// API views of what hooks delivered.
import type { DeliveryView } from '../../api/control.ts';
import type { Delivery } from '../hooks/hooks.ts';

export function deliveryView({ at, ...delivery }: Delivery): DeliveryView {
  return { ...delivery, at: new Date(at).toISOString() };
}
