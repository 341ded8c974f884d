// Logarithms, powers and cosines by additions, multiplications and divisions alone, which every machine rounds alike; those of Math may
// differ in the last bit between processors and versions of the engine, and a run would take another course. Method and constants: fdlibm.

const LN2_HIGH = 0.6931471803691238;
const LN2_LOW = 1.9082149292705877e-10;
/** Coefficients of z, z², …; z is the square of the argument. */
const LOG = [
  0.6666666666666735, 0.3999999999940942, 0.2857142874366239, 0.22222198432149784, 0.1818357216161805,
  0.15313837699209373, 0.14798198605116586,
];
const EXP = [
  0.16666666666666602, -0.0027777777777015593, 0.00006613756321437934, -0.0000016533902205465252, 4.1381367970572385e-8,
];
const SIN = [
  -0.16666666666666632, 0.00833333333332249, -0.0001984126982985795, 0.0000027557313707070068, -2.5050760253406863e-8,
  1.58969099521155e-10,
];
const COS = [
  0.0416666666666666, -0.001388888888887411, 0.00002480158728947673, -2.7557314351390663e-7, 2.087572321298175e-9,
  -1.1359647557788195e-11,
];

const polynomial = (z: number, coefficients: readonly number[]): number =>
  z * coefficients.reduceRight((sum, coefficient) => coefficient + z * sum, 0);

/** x as m · 2^k, m from √½ to √2. */
function split(x: number): { m: number; k: number } {
  if (!(x > 0 && x < Number.POSITIVE_INFINITY)) throw new RangeError(`logarithm of ${x}`);
  let [m, k] = [x, 0];
  for (; m < Math.SQRT1_2; k--) m *= 2;
  for (; m >= Math.SQRT2; k++) m /= 2;
  return { m, k };
}

/** ln m, for m from √½ to √2, with `rest` added. */
function logNear1(m: number, rest: number): number {
  const f = m - 1;
  const s = f / (2 + f);
  const half = 0.5 * f * f;
  return f - (half - (s * (half + polynomial(s * s, LOG)) + rest));
}

/** Throws RangeError for what is not above 0. */
export function log(x: number): number {
  const { m, k } = split(x);
  return k * LN2_HIGH + logNear1(m, k * LN2_LOW);
}

/** Exact for powers of two. */
export function log2(x: number): number {
  const { m, k } = split(x);
  return k + logNear1(m, 0) / Math.LN2;
}

export function exp(x: number): number {
  const k = Math.round(x / Math.LN2);
  const high = x - k * LN2_HIGH;
  const low = k * LN2_LOW;
  const r = high - low;
  const c = r - polynomial(r * r, EXP);
  return (1 - (low - (r * c) / (2 - c) - high)) * 2 ** k;
}

/** Of a base above 0. */
export function power(base: number, exponent: number): number {
  return exp(exponent * log(base));
}

/** Cosine of so many full turns, at least 0. */
export function cosOfTurns(turns: number): number {
  const quarters = Math.round(4 * turns);
  const x = 2 * Math.PI * (turns - quarters / 4);
  const z = x * x;
  const cos = 1 - (0.5 * z - z * polynomial(z, COS));
  const sin = x + x * polynomial(z, SIN);
  return [cos, -sin, -cos, sin][quarters % 4] ?? cos;
}
