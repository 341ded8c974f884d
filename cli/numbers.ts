// Parses numbers on the command line; errors name the allowed range.
import { InvalidArgumentError } from 'commander';

export function wholeNumber(min: number, max: number = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return text => {
    const value = Number(text);
    if (/^-?\d+$/.test(text) && value >= min && value <= max) return value;
    throw new InvalidArgumentError(
      `Expected a whole number from ${min}${max === Number.MAX_SAFE_INTEGER ? '' : ` to ${max}`}.`,
    );
  };
}

/** Parses seconds, such as `1.5`. */
export function secondsUpTo(max: number): (text: string) => number {
  return text => {
    const value = Number(text);
    if (/^\d+(\.\d+)?$/.test(text) && value <= max) return value;
    throw new InvalidArgumentError(`Expected seconds, at most ${max}.`);
  };
}
