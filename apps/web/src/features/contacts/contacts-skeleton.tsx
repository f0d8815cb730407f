import "./contacts-skeleton.css";

const ROWS = Array.from({ length: 9 }, (_, index) => `row-${index}`);

/** Placeholder rows of the same size as contact rows, to avoid a layout shift. */
export function ContactsSkeleton() {
  return (
    <div className="contacts-skeleton" role="status">
      <span className="visually-hidden">Loading your contacts</span>
      {ROWS.map((key) => (
        <div key={key} className="contacts-skeleton__row">
          <span className="skeleton skeleton--disc" />
          <span className="contacts-skeleton__lines">
            <span className="skeleton skeleton--line" />
            <span className="skeleton skeleton--line skeleton--short" />
          </span>
        </div>
      ))}
    </div>
  );
}
