// Contents that hash vectors are made of.

/** `pat251`: byte i is i mod 251. `A`: 0x41. `zero`: 0. */
export function pattern(content: string, length: number): Buffer {
  const bytes = Buffer.alloc(length, content === 'A' ? 0x41 : 0);
  if (content === 'pat251') for (let i = 0; i < length; i++) bytes[i] = i % 251;
  return bytes;
}
