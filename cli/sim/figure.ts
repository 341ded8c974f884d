// Shows the figures of simulations.

/** Four digits of a number that is not whole. */
export function formatFigure(figure: number | string): string {
  return typeof figure === 'string' || Number.isInteger(figure)
    ? String(figure)
    : String(Number(figure.toPrecision(4)));
}
