// Names of downloads made by a template such as `{artist} - {title}.{ext}`.
import { mediaTypeOf } from '../../wire/media-type.ts';

export const TEMPLATE_FIELDS = ['name', 'stem', 'ext', 'type', 'category', 'artist', 'title'] as const;
type TemplateField = (typeof TEMPLATE_FIELDS)[number];

const FIELD = /\{([^{}]*)\}/g;
/** How people name songs: `Artist - Title.ext`, perhaps with a number before. */
const SONG = /^(?:\d{1,3}[ .-]+)?(?<artist>[^-]+?) - (?<title>[^-]+)$/;

/** The first name in braces that is no field; null: the template is good. */
export function wrongField(template: string): string | null {
  for (const [, field = ''] of template.matchAll(FIELD))
    if (!(TEMPLATE_FIELDS as readonly string[]).includes(field)) return field;
  return null;
}

/** A field that is not known of this file gives the name unchanged. The result is still to be made safe. */
export function nameByTemplate(template: string, name: string, category: string): string {
  const dot = name.lastIndexOf('.');
  const [stem, ext] = dot > 0 ? [name.slice(0, dot), name.slice(dot + 1)] : [name, ''];
  const { artist = '', title = '' } = SONG.exec(stem)?.groups ?? {};
  const values: Record<TemplateField, string> = {
    ...{ name, stem, ext, category },
    ...{ artist: artist.trim(), title: title.trim(), type: mediaTypeOf(name) ?? '' },
  };
  let isKnown = true;
  const made = template.replace(FIELD, (_, field: TemplateField) => {
    if (values[field] === '') isKnown = false;
    return values[field];
  });
  return isKnown ? made : name;
}
