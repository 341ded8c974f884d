// Numbers on the command line, refused with what was expected.
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

/** `1.5`, `90`. */
export function secondsUpTo(max: number): (text: string) => number {
  return text => {
    const value = Number(text);
    if (/^\d+(\.\d+)?$/.test(text) && value <= max) return value;
    throw new InvalidArgumentError(`Expected seconds, at most ${max}.`);
  };
}
