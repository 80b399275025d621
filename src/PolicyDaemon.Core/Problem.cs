namespace PolicyDaemon.Core;

/// <summary>What is wrong with what a person wrote, and what to do about it.</summary>
/// <param name="Reason">What is wrong; enough for a log that has room for one line.</param>
/// <param name="Advice">What to write, set or run instead; empty where the reason says it.</param>
public sealed record Problem(string Reason, string Advice = "")
{
    /// <summary>This problem as that of a named part: <c>protocols: reason; advice</c>.</summary>
    public Problem At(string place) => this with { Reason = $"{place}: {Reason}" };

    /// <summary>Reason and advice in one line, for people.</summary>
    public override string ToString() => Advice.Length == 0 ? Reason
        : Reason.EndsWith('?') ? $"{Reason} {char.ToUpperInvariant(Advice[0])}{Advice[1..]}"
        : $"{Reason}; {Advice}";
}
