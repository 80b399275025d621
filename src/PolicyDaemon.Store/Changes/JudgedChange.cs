using PolicyDaemon.Core;
using PolicyDaemon.Core.Audit;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Store.Destinations;

namespace PolicyDaemon.Store.Changes;

/// <summary>What a change of one key means: the answers before and after it, why it could not be served, what of it weakens.</summary>
/// <remarks>Only the store makes one, from its own rows and by the rules of Core/Policies and Core/Rotation: what one program may not write, no other may.</remarks>
public sealed class JudgedChange
{
    /// <param name="now">When it is made, UTC: what an entry says ends at its end, whether or not that is written.</param>
    /// <param name="onRecord">What a person's change of pins is judged by; null for automation, whose rules have judged that.</param>
    /// <param name="acceptsUnsigned">A person says that the zone is not signed any more on purpose.</param>
    internal JudgedChange(
        NextHop key, StoredDestination? stored, Destination? after, PostfixSettings postfix, Func<NextHop, Destination?> parentBefore, OnRecord? onRecord,
        DateTimeOffset now, bool acceptsUnsigned = false)
    {
        Key = key;
        Stored = stored;
        Before = stored?.Value;
        After = after;
        Action = (stored, after) switch
        {
            (null, null) => null,
            (null, _) => AuditAction.Add,
            (_, null) => AuditAction.Remove,
            _ => Before == after ? null : AuditAction.Change,
        };
        AcceptsUnsigned = acceptsUnsigned && Before is not null && after is not null && onRecord?.HasLostSigning(key) == true;
        if (AcceptsUnsigned)
            Action ??= AuditAction.Change;
        var inForce = Before?.At(now);
        AnswerBefore = stored is { Value: null } ? StoredDestination.Unreadable
            : inForce is null ? null : PolicyText.Answer(inForce, postfix, MapName.TlsPolicy);
        Problems = after is null ? [] : PolicyRules.Problems(Before, after, postfix);
        AnswerAfter = after is null ? null : PolicyText.Answer(after, postfix, MapName.TlsPolicy, isSound: Problems.Count == 0);
        EndBefore = inForce is null ? null : EntryEnd.Of(inForce, postfix);
        EndAfter = after is null ? null : EntryEnd.Of(after, postfix);
        Weakens = Action is null ? [] : Weakening.Of(Before, after, postfix, parentBefore, now);
        if (Action == AuditAction.Remove && Before is null)
            Weakens = [$"{key.ToDisplayString()} goes, whose entry cannot be read: what it asked for is not known"];
        if (AcceptsUnsigned)
            Weakens = [.. Weakens, $"the MX records of {key.ToDisplayString()} were signed and need not be any more: whoever forges DNS is not told of by that"];
        if (onRecord is null || Before is null || new PinCaution(Before, after) is not { ChangesServedPins: true } caution)
            return;
        var suspicion = caution.Suspicion(onRecord.Findings(key));
        IsSuspected = suspicion is not null;
        Weakens = [.. Weakens, .. caution.WeakKeys(onRecord.Probed(key)), .. suspicion is null ? (string[])[] : [suspicion]];
    }

    public NextHop Key { get; }

    /// <summary>The destination as it is; null where it is not configured, or cannot be read.</summary>
    public Destination? Before { get; }

    /// <summary>The destination as it shall be; null for a removal.</summary>
    public Destination? After { get; }

    /// <summary>Add, change or remove; null where nothing differs.</summary>
    public AuditAction? Action { get; }

    /// <summary>The answer to the key before the change, on the map <c>tlspolicy</c>; null where the key is not configured.</summary>
    public LookupAnswer? AnswerBefore { get; }

    /// <summary>The answer to the key after the change; null where the key will not be configured.</summary>
    public LookupAnswer? AnswerAfter { get; }

    /// <summary>When the entry as it is ends by itself, and what holds then; null where it does not.</summary>
    public EntryEnd? EndBefore { get; }

    /// <summary>The end of the entry as it shall be, and what it comes to then.</summary>
    public EntryEnd? EndAfter { get; }

    /// <summary>What Postfix is told now, for people and the audit log.</summary>
    internal string? ShownBefore => AnswerBefore is { } answer ? answer.ToDisplayString() + (EndBefore is null ? "" : $" ({EndBefore})") : null;

    /// <summary>What Postfix will be told.</summary>
    internal string? ShownAfter => AnswerAfter is { } answer ? answer.ToDisplayString() + (EndAfter is null ? "" : $" ({EndAfter})") : null;

    /// <summary>The reasons why the entry cannot be served like this: such a change is refused.</summary>
    public IReadOnlyList<Problem> Problems { get; }

    /// <summary>The ways in which the change weakens, or may while an attack is not excluded, a sentence each: such a change takes a person and a reason.</summary>
    public IReadOnlyList<string> Weakens { get; }

    /// <summary>The zone was signed, is not any more, and a person says that this is meant: it is no finding until it is signed again.</summary>
    public bool AcceptsUnsigned { get; }

    /// <summary>Other pins would be served while an open finding does not exclude an attack.</summary>
    public bool IsSuspected { get; }

    internal StoredDestination? Stored { get; }
}

/// <summary>What is on record of a destination beside its entry; read only for a change that serves other pins, or accepts an unsigned zone.</summary>
/// <param name="Findings">The open findings about it.</param>
/// <param name="Probed">What the prober has seen of it; null before its first probe.</param>
/// <param name="HasLostSigning">True where its MX records were DNSSEC-secure and are not any more.</param>
internal sealed record OnRecord(Func<NextHop, IReadOnlyList<Finding>> Findings, Func<NextHop, ProbeState?> Probed, Func<NextHop, bool> HasLostSigning);

/// <summary>The end of an entry, and what holds then.</summary>
/// <param name="Until">When it ends, UTC.</param>
/// <param name="Then">What Postfix is told from then on; null where the entry goes.</param>
public sealed record EntryEnd(DateTimeOffset Until, LookupAnswer? Then)
{
    /// <returns>Null where the entry does not end by itself.</returns>
    public static EntryEnd? Of(Destination entry, PostfixSettings postfix)
    {
        ArgumentNullException.ThrowIfNull(entry);
        return entry.Until is { } until ? new(until, entry.AfterEnd() is { } then ? PolicyText.Answer(then, postfix, MapName.TlsPolicy) : null) : null;
    }

    /// <summary>The command under which the daemon's changes at ends stand in the audit log.</summary>
    public const string Command = "end of --until";

    /// <summary>What people are told of an end that has come.</summary>
    internal static Finding FindingOf(JudgedChange judged, DateTimeOffset until, DateTimeOffset now) => new(
        FindingKind.EntryEnded, judged.Key.Text,
        judged.AnswerAfter is { } then
            ? $"what was temporary in {judged.Key} ended at {UtcTime.Text(until)}, as was said when it was set: Postfix was told {judged.Before!.Policy.Level.Name()}, and is told {then.ToDisplayString()} again"
            : $"the entry {judged.Key} ended at {UtcTime.Text(until)}, as was said when it was added: it was at level {judged.Before!.Policy.Level.Name()}, and is gone",
        $"policyctl audit {Shell.Quote(judged.Key.Text)}", now);

    /// <summary>For people: <c>until 2026-12-01T00:00:00Z, then secure</c>.</summary>
    public override string ToString() => $"until {UtcTime.Text(Until)}, then {Then?.ToDisplayString() ?? "no entry"}";
}

/// <summary>A change is refused by the rules; nothing of it was written.</summary>
// The judgement is what it is about, so the usual constructors without it have no meaning.
#pragma warning disable CA1032
public sealed class ChangeRefusedException : Exception
#pragma warning restore CA1032
{
    internal ChangeRefusedException(JudgedChange judged, string message)
        : base(message) => Judged = judged;

    public JudgedChange Judged { get; }

    /// <returns>Null where the origin may make the change.</returns>
    internal static ChangeRefusedException? Of(JudgedChange judged, ChangeOrigin origin, PostfixSettings postfix)
    {
        // Automation may mend half of what cannot be served already; a person is told to mend it whole.
        if (judged.Problems.Count > 0
            && !(origin.IsAutomation && judged.Before is { } before && PolicyRules.Problems(before, postfix).Count > 0))
            return new(judged, $"{judged.Key} cannot be served like this: {string.Join("; ", judged.Problems)}");
        if (judged.Weakens.Count == 0)
            return null;
        if (origin.IsAutomation)
            return new(judged, $"automation may not weaken: {string.Join("; ", judged.Weakens)}");
        return string.IsNullOrWhiteSpace(origin.Reason)
            ? new(judged, $"this weakens what is enforced now, or may, so it takes a reason: {string.Join("; ", judged.Weakens)}")
            : null;
    }
}
