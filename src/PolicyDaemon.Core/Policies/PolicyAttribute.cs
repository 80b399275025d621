using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;

namespace PolicyDaemon.Core.Policies;

/// <summary>One attribute of a TLS policy: a row of <see cref="PolicyAttributes"/>.</summary>
/// <param name="Name">As Postfix spells it; compared without letter case.</param>
/// <param name="Since">The first release in which every patch level understands it.</param>
/// <param name="LegalAt">The levels at which Postfix accepts it.</param>
[SuppressMessage("Naming", "CA1711:Identifiers should not have incorrect suffix", Justification = "Attribute is Postfix's word; this is no .NET attribute.")]
public sealed record PolicyAttribute(string Name, PostfixVersion Since, Func<TlsLevel, bool> LegalAt)
{
    /// <summary>What a second occurrence means.</summary>
    public Repetition Repeats { get; init; } = Repetition.Refused;

    /// <summary>Joins several values into one occurrence; without it each value is an occurrence of its own.</summary>
    public char? Separator { get; init; }

    /// <summary>Served on the map <c>tlspolicy-tlsrpt</c> only.</summary>
    public bool TlsRptOnly { get; init; }

    /// <summary>Written <c>{ name = value }</c>, because its values hold blanks (Postfix 3.10 and later).</summary>
    public bool Braced { get; init; }

    /// <summary>The values a policy has for it; empty where it is not set.</summary>
    public required Func<TlsPolicy, ImmutableArray<string>> Get { get; init; }

    /// <summary>The policy with one more occurrence of the attribute.</summary>
    public required Func<TlsPolicy, string, TlsPolicy> Add { get; init; }

    /// <summary>Why one value is not legal for a Postfix, or null.</summary>
    public required Func<string, PostfixVersion, string?> Problem { get; init; }

    /// <summary>The form in which a legal value is stored and served: letter case, A-labels.</summary>
    public Func<string, string> Fold { get; init; } = static value => value;
}
