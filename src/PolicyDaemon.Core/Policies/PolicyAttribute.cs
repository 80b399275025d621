using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;

namespace PolicyDaemon.Core.Policies;

/// <summary>One attribute of a TLS policy: a row of <see cref="PolicyAttributes"/>.</summary>
/// <param name="Name">The attribute's name as Postfix spells it; compared without letter case.</param>
/// <param name="Since">The first release in which every patch level understands the attribute.</param>
/// <param name="LegalAt">The levels at which Postfix accepts it.</param>
[SuppressMessage("Naming", "CA1711:Identifiers should not have incorrect suffix", Justification = "Attribute is Postfix's word; this is no .NET attribute.")]
public sealed record PolicyAttribute(string Name, PostfixVersion Since, Func<TlsLevel, bool> LegalAt)
{
    public const string Yes = "yes";

    public const string No = "no";

    /// <summary>The meaning of a second occurrence.</summary>
    public Repetition Repeats { get; init; } = Repetition.Refused;

    /// <summary>Joins several values into one occurrence; without it each value is an occurrence of its own.</summary>
    public char? Separator { get; init; }

    /// <summary>Served on the map <c>tlspolicy-tlsrpt</c> only.</summary>
    public bool TlsRptOnly { get; init; }

    /// <summary>Written <c>{ name = value }</c>, because its values hold blanks (Postfix 3.10 and later).</summary>
    public bool Braced { get; init; }

    /// <summary>True where the attribute's value is <see cref="Yes"/> or <see cref="No"/>.</summary>
    public bool IsFlag { get; init; }

    /// <summary>The values that a policy has for the attribute; empty where it is not set.</summary>
    public required Func<TlsPolicy, ImmutableArray<string>> Get { get; init; }

    /// <summary>The policy with one more occurrence of the attribute.</summary>
    public required Func<TlsPolicy, string, TlsPolicy> Add { get; init; }

    /// <summary>Says why one value is not legal for a Postfix; null where it is.</summary>
    public required Func<string, PostfixVersion, Problem?> Check { get; init; }

    /// <summary>The form in which a legal value is stored and served: letter case, A-labels.</summary>
    public Func<string, string> Fold { get; init; } = static value => value;

    /// <summary>Whether another value can weaken what protects mail. Of a row that does not say so, any other value counts as weaker.</summary>
    public ValueChange Change { get; init; } = ValueChange.Weakens;
}

/// <summary>What another value of an attribute, its first one or its removal, does to the protection of mail. See <see cref="Weakening"/>.</summary>
public enum ValueChange
{
    /// <summary>Another value counts as weaker, whatever it is: no rule compares values.</summary>
    Weakens,

    /// <summary>A rule of <see cref="Weakening"/> compares the two values.</summary>
    IsCompared,

    /// <summary>Another value changes what is asked of the peer or what is reported, and not what is accepted of the peer.</summary>
    IsHarmless,
}

/// <summary>What Postfix makes of an attribute that a policy names more than once (smtp/smtp_tls_policy.c).</summary>
public enum Repetition
{
    /// <summary>"specified multiple times": the whole policy is invalid and mail is deferred.</summary>
    Refused,

    /// <summary>The values add up.</summary>
    AddsUp,

    /// <summary>The last one counts.</summary>
    LastWins,
}
