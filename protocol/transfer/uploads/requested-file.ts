// Finds the file that a request is for: by hash if it has one, else by index and name; shared as a whole, or in part.
import { fileOfUrn, type SharedFile } from '../../search/shared-file.ts';
import type { Urn } from '../../wire/urn.ts';
import { sha1Asked, type Target } from './request-target.ts';
import { namesFile } from './requested-name.ts';
import type { UploadContext } from './upload-context.ts';

type Files = Pick<UploadContext, 'files' | 'partials'>;

/** `wanted`: the URN in its X-Gnutella-Content-URN. Null: we have nothing of it. */
export function requestedFile(context: Files, target: Target, wanted: Urn | null): SharedFile | null {
  return wholeFile(context, target, wanted) ?? partOfFile(context, target, wanted);
}

/** By index and name only without a hash, as the index may have changed since the hit. */
function wholeFile({ files }: Files, target: Target, wanted: Urn | null): SharedFile | null {
  if (target.kind === 'file' || target.kind === 'tree') {
    const named = fileOfUrn(files, target.urn);
    return named === null || wanted === null || isNamed(named, wanted) ? named : null;
  }
  if (target.kind !== 'index') return null;
  if (wanted !== null) return fileOfUrn(files, wanted);
  const file = files.byIndex(target.index);
  return file !== null && namesFile(target.asked, file.name) ? file : null;
}

/** By hash alone. */
function partOfFile({ partials }: Files, target: Target, wanted: Urn | null): SharedFile | null {
  if (target.kind === 'root' || target.kind === 'other') return null;
  const sha1 = sha1Asked(target, wanted);
  if (sha1 === null || wanted?.sha1?.equals(sha1) === false) return null;
  const file = partials.partialOf(sha1);
  return target.kind === 'tree' && file?.tigerRoot == null ? null : file;
}

function isNamed({ sha1, tigerRoot }: SharedFile, urn: Urn): boolean {
  const isOther = urn.tigerRoot !== null && tigerRoot?.equals(urn.tigerRoot) === false;
  return !isOther && urn.sha1?.equals(sha1) !== false;
}
