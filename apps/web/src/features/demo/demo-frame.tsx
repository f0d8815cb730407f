import type { Profile } from "@presence/protocol";
import type { ConnectionStatus } from "../../lib/live/link-view.ts";
import { Avatar } from "../../ui/avatar.tsx";
import { Icon, type IconName } from "../../ui/icon.tsx";
import { Notice } from "../../ui/notice.tsx";
import type { ActionKind } from "./demo-log.ts";
import "./demo-frame.css";

export interface FrameState {
  isOpen: boolean;
  /** Whether its network is cut by the page's button. */
  isCut: boolean;
  /** The connection's state as reported by the client in the frame. */
  state: ConnectionStatus;
}

interface DemoFrameProps {
  profile: Profile;
  name: string;
  frame: FrameState;
  connection: "own" | "shared";
  onFrame(element: HTMLIFrameElement | null): void;
  onAction(kind: ActionKind): void;
}

/** One client in a frame, with the buttons that act on it. */
export function DemoFrame({ profile, name, frame, connection, onFrame, onAction }: DemoFrameProps) {
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
              <p>The others see {name} offline when the lease expires.</p>
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
          <ActionButton kind="close" icon="close" label="Close" name={name} onAction={onAction} />
        ) : (
          <ActionButton kind="open" icon="open" label="Open" name={name} onAction={onAction} />
        )}
        <ActionButton kind="reload" icon="reload" label="Reload" name={name} isDisabled={!isOpen} onAction={onAction} />
        {isCut ? (
          <ActionButton kind="restore" icon="plug" label="Restore" what="network of" name={name} onAction={onAction} />
        ) : (
          <ActionButton
            kind="cut"
            icon="cut"
            label="Cut network"
            what="of"
            name={name}
            isDisabled={!isOpen || connection === "shared"}
            onAction={onAction}
          />
        )}
        {isSignedOut ? (
          <ActionButton
            kind="sign-in"
            icon="sign-in"
            label="Sign in"
            name={name}
            isDisabled={!isOpen}
            onAction={onAction}
          />
        ) : (
          <ActionButton
            kind="sign-out"
            icon="sign-out"
            label="Sign out"
            name={name}
            isDisabled={!isOpen || isCut}
            onAction={onAction}
          />
        )}
      </div>
    </section>
  );
}

interface ActionButtonProps {
  kind: ActionKind;
  icon: IconName;
  label: string;
  name: string;
  /** Text between label and name in the button's accessible name. */
  what?: string;
  isDisabled?: boolean;
  onAction(kind: ActionKind): void;
}

function ActionButton({ kind, icon, label, name, what, isDisabled = false, onAction }: ActionButtonProps) {
  return (
    <button
      className="button demo-frame__button"
      type="button"
      disabled={isDisabled}
      aria-label={[label, what, name].filter(Boolean).join(" ")}
      onClick={() => onAction(kind)}
    >
      <Icon name={icon} />
      <span>{label}</span>
    </button>
  );
}
