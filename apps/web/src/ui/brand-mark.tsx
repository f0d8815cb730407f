import "./brand-mark.css";

/** The product's logo. */
export function BrandMark() {
  return (
    <svg className="brand-mark" viewBox="0 0 32 32" aria-hidden="true">
      <circle className="brand-mark__ring" cx="14" cy="14" r="10.5" />
      <circle className="brand-mark__cutout" cx="23" cy="23" r="8.5" />
      <circle className="brand-mark__disc" cx="23" cy="23" r="6" />
    </svg>
  );
}
