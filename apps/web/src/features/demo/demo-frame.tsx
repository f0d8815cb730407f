import type { Profile } from "@presence/protocol";
import type { ConnectionWord } from "../../lib/live/link-view.ts";
import { Avatar } from "../../ui/avatar.tsx";
import { Icon, type IconName } from "../../ui/icon.tsx";
import { Notice } from "../../ui/notice.tsx";
import type { PressKind } from "./demo-log.ts";
import "./demo-frame.css";

export interface FrameState {
  isOpen: boolean;
  /** Its network has been cut by the page's button. */
  isCut: boolean;
  /** What the client itself says of its connection. */
  state: ConnectionWord;
}

interface DemoFrameProps {
  profile: Profile;
  name: string;
  frame: FrameState;
  connection: "own" | "shared";
  onFrame(element: HTMLIFrameElement | null): void;
  onPress(kind: PressKind): void;
}

/** One client on its device, and the four things that can befall it. */
export function DemoFrame({ profile, name, frame, connection, onFrame, onPress }: DemoFrameProps) {
  const { isOpen, isCut, state } = frame;
  const isSignedOut = state === "signed-out";

  return (
    <section
      className="demo-frame"
      data-testid="demo-frame"
      data-client={profile.id}
      data-state={state}
      aria-label={name}
    >
      <div className="demo-frame__device">
        {isOpen ? (
          <iframe
            ref={onFrame}
            className="demo-frame__screen"
            title={`${name}’s client`}
            src={`/?as=${profile.id}&frame=${connection}`}
          />
        ) : (
          <div className="demo-frame__screen demo-frame__screen--off">
            <Notice title={`${name} is closed`} figure={<Avatar client={profile.id} name={profile.name} size="l" />}>
              <p>The others see it when the lease ends.</p>
            </Notice>
          </div>
        )}
        {isCut && (
          <p className="demo-frame__cut">
            <Icon name="cut" /> Network cut
          </p>
        )}
      </div>
      <div className="demo-frame__buttons">
        {isOpen ? (
          <Press kind="close" icon="close" label="Close" name={name} onPress={onPress} />
        ) : (
          <Press kind="open" icon="open" label="Open" name={name} onPress={onPress} />
        )}
        <Press kind="reload" icon="reload" label="Reload" name={name} isDisabled={!isOpen} onPress={onPress} />
        {isCut ? (
          <Press kind="restore" icon="plug" label="Restore" what="network of" name={name} onPress={onPress} />
        ) : (
          <Press
            kind="cut"
            icon="cut"
            label="Cut network"
            what="of"
            name={name}
            isDisabled={!isOpen || connection === "shared"}
            onPress={onPress}
          />
        )}
        {isSignedOut ? (
          <Press kind="sign-in" icon="sign-in" label="Sign in" name={name} isDisabled={!isOpen} onPress={onPress} />
        ) : (
          <Press
            kind="sign-out"
            icon="sign-out"
            label="Sign out"
            name={name}
            isDisabled={!isOpen || isCut}
            onPress={onPress}
          />
        )}
      </div>
    </section>
  );
}

interface PressProps {
  kind: PressKind;
  icon: IconName;
  label: string;
  name: string;
  /** What stands between label and name in the button's full name. */
  what?: string;
  isDisabled?: boolean;
  onPress(kind: PressKind): void;
}

function Press({ kind, icon, label, name, what, isDisabled = false, onPress }: PressProps) {
  return (
    <button
      className="button demo-frame__button"
      type="button"
      disabled={isDisabled}
      aria-label={[label, what, name].filter(Boolean).join(" ")}
      onClick={() => onPress(kind)}
    >
      <Icon name={icon} />
      <span>{label}</span>
    </button>
  );
}
