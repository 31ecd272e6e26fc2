//! Promises of the frames: what is written is read, and nothing else is.

use proptest::prelude::*;
use protocol::{
    AbsPath, Access, Assignment, Claim, Confinement, Denial, Ending, Enforcement, Event, Fault,
    FrameError, Guarantee, Hook, HookCall, HookReturn, IsolationReport, Level, Limit, Limits,
    Listing, MAX_FRAME, Namespaces, Network, Order, PathGrant, Program, PushDecoder, Rooms, Slot,
    SlotBuild, Step, Top, Touch, Trace, Unpack, Usage, Verdict, decode, encode,
};

fn path() -> impl Strategy<Value = AbsPath> {
    "(/[a-zA-Z0-9_ .-]{0,3}[a-z0-9]){1,5}"
        .prop_map(|text| AbsPath::new(text).expect("absolute and plain"))
}

fn text() -> impl Strategy<Value = String> {
    ".{0,40}"
}

fn hook() -> impl Strategy<Value = Hook> {
    prop_oneof![
        Just(Hook::GetRequiresForBuildWheel),
        Just(Hook::PrepareMetadataForBuildWheel),
        Just(Hook::BuildWheel),
        Just(Hook::GetRequiresForBuildSdist),
        Just(Hook::BuildSdist),
    ]
}

fn limits() -> impl Strategy<Value = Limits> {
    any::<[u64; 10]>().prop_map(|n| Limits {
        wall_ms: n[0],
        silence_ms: n[1],
        cpu_seconds: n[2],
        memory_bytes: n[3],
        processes: n[4],
        open_files: n[5],
        file_bytes: n[6],
        scratch_bytes: n[7],
        scratch_inodes: n[8],
        log_bytes: n[9],
    })
}

fn grant() -> impl Strategy<Value = PathGrant> {
    let access = prop_oneof![
        Just(Access::Read),
        Just(Access::ReadExecute),
        Just(Access::ReadWrite),
        Just(Access::ReadWriteFile),
    ];
    (path(), prop::option::of(path()), access, any::<bool>()).prop_map(
        |(path, seen_as, access, optional)| PathGrant {
            path,
            seen_as,
            access,
            optional,
        },
    )
}

fn confinement() -> impl Strategy<Value = Confinement> {
    let namespaces = prop_oneof![
        Just(Namespaces::None),
        Just(Namespaces::WithUser),
        Just(Namespaces::WithoutUser)
    ];
    (
        namespaces,
        any::<Option<u32>>(),
        any::<bool>(),
        any::<u32>(),
        prop_oneof![Just(Network::None), Just(Network::Outbound)],
        prop::collection::vec(grant(), 0..8),
        (path(), any::<bool>()),
    )
        .prop_map(
            |(
                namespaces,
                build_uid,
                landlock,
                landlock_floor,
                network,
                grants,
                (must_not_open, trace),
            )| {
                Confinement {
                    namespaces,
                    build_uid,
                    landlock,
                    landlock_floor,
                    network,
                    grants,
                    must_not_open,
                    trace,
                }
            },
        )
}

fn program() -> impl Strategy<Value = Program> {
    let strings = prop::collection::vec(text(), 0..5);
    let variables = prop::collection::vec((text(), text()), 0..5);
    let ends = (
        any::<bool>(),
        prop::option::of(path()),
        prop::option::of(path()),
        any::<bool>(),
    );
    (path(), strings, variables, path(), ends).prop_map(
        |(path, arguments, environment, directory, (takes_calls, input, output, talks))| Program {
            path,
            arguments,
            environment,
            directory,
            takes_calls,
            input,
            output,
            talks,
        },
    )
}

fn unpack() -> impl Strategy<Value = Unpack> {
    let top = prop_oneof![Just(Top::OneFolder), Just(Top::Any), Just(Top::Bare)];
    (path(), text(), top, any::<u64>(), any::<u64>()).prop_map(
        |(archive, room, top, max_bytes, max_members)| Unpack {
            archive,
            room,
            top,
            max_bytes,
            max_members,
        },
    )
}

fn assignment() -> impl Strategy<Value = Assignment> {
    let rooms = (path(), prop::collection::vec(text(), 0..5), path()).prop_map(
        |(scratch, writable, seen_as)| Rooms {
            scratch,
            writable,
            seen_as,
        },
    );
    (
        rooms,
        confinement(),
        limits(),
        prop::option::of(unpack()),
        prop::option::of(program()),
        prop::option::of(slot()),
    )
        .prop_map(
            |(rooms, confinement, limits, unpack, program, slot)| Assignment {
                rooms,
                confinement,
                limits,
                unpack,
                program,
                slot,
            },
        )
}

fn slot() -> impl Strategy<Value = Slot> {
    let names = || prop::collection::vec(text(), 0..5);
    (any::<u32>(), names(), names()).prop_map(|(builds, rooms, fixtures)| Slot {
        builds,
        rooms,
        fixtures,
    })
}

fn order() -> impl Strategy<Value = Order> {
    prop_oneof![
        assignment().prop_map(|assignment| Order::Start(Box::new(assignment))),
        (hook(), text(), text(), any::<u64>()).prop_map(|(hook, line, result, wall_ms)| {
            Order::Call(HookCall {
                hook,
                line,
                result,
                wall_ms,
            })
        }),
        prop::option::of(unpack()).prop_map(|unpack| Order::Build(SlotBuild { unpack })),
        Just(Order::Rest),
        Just(Order::End),
    ]
}

fn report() -> impl Strategy<Value = IsolationReport> {
    let level = prop_oneof![
        Just(Level::None),
        Just(Level::NsOnly),
        Just(Level::Reduced),
        Just(Level::Confined),
        Just(Level::Ns)
    ];
    let enforcement = prop_oneof![
        Just(Enforcement::Absent),
        Just(Enforcement::Partial),
        Just(Enforcement::Enforced)
    ];
    let vector = prop::collection::vec(enforcement, Guarantee::ALL.len());
    (level, any::<(u32, u32, bool, u32)>(), vector).prop_map(|(level, numbers, vector)| {
        IsolationReport {
            level,
            landlock_abi: numbers.0,
            landlock_errata: numbers.1,
            listener: numbers.2,
            uid: numbers.3,
            guarantees: Guarantee::ALL.into_iter().zip(vector).collect(),
        }
    })
}

fn claim() -> impl Strategy<Value = Claim> {
    let ending = prop_oneof![
        any::<i32>().prop_map(Ending::Exited),
        any::<i32>().prop_map(Ending::Signalled),
        Just(Ending::Reached(Limit::Wall)),
        Just(Ending::Reached(Limit::ScratchInodes)),
        Just(Ending::Ended),
        Just(Ending::Nothing),
    ];
    (ending, any::<(u64, u64, u64, u32)>()).prop_map(|(ending, n)| Claim {
        ending,
        usage: Usage {
            user_ms: n.0,
            system_ms: n.1,
            peak_kib: n.2,
        },
        killed: n.3,
    })
}

fn trace() -> impl Strategy<Value = Trace> {
    let touch = prop_oneof![Just(Touch::Read), Just(Touch::Write), Just(Touch::Execute)];
    let verdict = prop_oneof![
        Just(Verdict::Granted),
        Just(Verdict::Refused),
        Just(Verdict::Hidden)
    ];
    (touch, verdict, path(), any::<(u64, u64)>()).prop_map(|(touch, verdict, path, n)| Trace {
        touch,
        verdict,
        path,
        count: n.0,
        last: n.1,
    })
}

fn event() -> impl Strategy<Value = Event> {
    let bytes = prop::collection::vec(any::<u8>(), 0..200);
    prop_oneof![
        report().prop_map(Event::Confined),
        trace().prop_map(Event::Traced),
        (
            any::<u64>(),
            any::<u64>(),
            prop::option::of(text()),
            prop::collection::vec(text(), 0..4)
        )
            .prop_map(
                |(members, bytes, top_folder, notes)| Event::Unpacked(Listing {
                    members,
                    bytes,
                    top_folder,
                    notes
                })
            ),
        (text(), text()).prop_map(|(rule, detail)| Event::Refused { rule, detail }),
        any::<Option<u32>>().prop_map(|pid| Event::Ready { pid }),
        (hook(), prop::option::of(bytes), any::<u64>()).prop_map(|(hook, result, elapsed_ms)| {
            Event::Returned(HookReturn {
                hook,
                result,
                elapsed_ms,
            })
        }),
        (text(), text(), any::<u64>()).prop_map(|(what, target, count)| Event::Denied(Denial {
            what,
            target,
            count
        })),
        Just(Event::Rested),
        claim().prop_map(Event::Built),
        claim().prop_map(Event::Finished),
        (any::<Option<i32>>(), text()).prop_map(|(errno, doing)| Event::Faulted(Fault {
            step: Step::Probe,
            errno,
            doing
        })),
    ]
}

proptest! {
    #[test]
    fn every_order_is_read_as_it_was_written(order in order()) {
        let frame = encode(&order).expect("orders of this size fit");
        prop_assert_eq!(decode::<Order>(&frame[4..]).expect("it was just written"), order);
    }

    #[test]
    fn every_event_is_read_as_it_was_written_however_it_is_cut(event in event(), cut in 1_usize..64) {
        let frame = encode(&event).expect("events of this size fit");
        let mut decoder = PushDecoder::default();
        let mut heard = None;
        for part in frame.chunks(cut) {
            prop_assert!(heard.is_none());
            decoder.push(part);
            heard = decoder.take::<Event>().expect("a sound frame");
        }
        prop_assert_eq!(heard, Some(event));
        prop_assert!(!decoder.holds_part());
    }

    #[test]
    fn any_bytes_are_a_message_or_an_error_and_never_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = decode::<Event>(&bytes);
        let _ = decode::<Order>(&bytes);
        let mut decoder = PushDecoder::default();
        decoder.push(&bytes);
        while let Ok(Some(_)) = decoder.take::<Event>() {}
    }

    #[test]
    fn bytes_behind_a_message_are_an_error(event in event(), extra in 1_usize..8) {
        let mut frame = encode(&event).expect("events of this size fit");
        frame.extend(vec![0; extra]);
        prop_assert!(matches!(decode::<Event>(&frame[4..]), Err(FrameError::Trailing(n)) if n == extra));
    }
}

#[test]
fn a_frame_above_the_cap_is_refused_before_it_is_held() {
    let mut decoder = PushDecoder::default();
    let announced = u32::try_from(MAX_FRAME + 1).expect("small");
    decoder.push(&announced.to_le_bytes());
    assert!(
        matches!(decoder.take::<Event>(), Err(FrameError::Length { announced }) if announced == MAX_FRAME + 1)
    );
}

#[test]
fn an_empty_frame_is_refused() {
    let mut decoder = PushDecoder::default();
    decoder.push(&[0; 4]);
    assert!(matches!(
        decoder.take::<Order>(),
        Err(FrameError::Length { announced: 0 })
    ));
}

#[test]
fn a_length_inside_a_message_can_not_ask_for_more_than_the_frame_holds() {
    // `Event::Refused` with a string that claims 2^60 bytes.
    let mut payload = 2_u32.to_le_bytes().to_vec();
    payload.extend((1_u64 << 60).to_le_bytes());
    assert!(matches!(
        decode::<Event>(&payload),
        Err(FrameError::Garbage(_))
    ));
}

#[test]
fn a_path_that_is_relative_or_climbs_does_not_cross() {
    let climbing = encode(&(b"/a/../b".to_vec())).expect("fits");
    assert!(matches!(
        decode::<AbsPath>(&climbing[4..]),
        Err(FrameError::Garbage(_))
    ));
    let relative = encode(&(b"a/b".to_vec())).expect("fits");
    assert!(matches!(
        decode::<AbsPath>(&relative[4..]),
        Err(FrameError::Garbage(_))
    ));
}
