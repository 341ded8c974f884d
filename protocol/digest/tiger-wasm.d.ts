/** assembly/tiger.ts compiled, as base64: scripts/assembly.mjs puts the module beside what tsc builds. */
export const tigerWasm: string;
