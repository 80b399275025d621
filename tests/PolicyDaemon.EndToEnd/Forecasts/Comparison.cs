using PolicyDaemon.EndToEnd.Lab;

namespace PolicyDaemon.EndToEnd.Forecasts;

/// <summary>One mail: what the tool said of it, and what Postfix did.</summary>
/// <param name="Kind">The kind of server.</param>
/// <param name="Level">The policy.</param>
/// <param name="Policy">The policy's text; null where there was none to send it under.</param>
internal sealed record Comparison(ServerKind Kind, PolicyLevel Level, string? Policy)
{
    /// <summary>What <c>check</c> said of this level without an entry.</summary>
    public IReadOnlyList<MailResult> Before { get; init; } = [];

    /// <summary>What <c>check</c> said with the entry in force.</summary>
    public IReadOnlyList<MailResult> InForce { get; init; } = [];

    /// <summary>The same in words.</summary>
    public string Sentence { get; init; } = "";

    /// <summary>The last attempt; null where no mail was sent.</summary>
    public DeliveryAttempt? Attempt { get; init; }

    /// <summary>What became of the mail.</summary>
    public MailResult Result { get; init; }

    /// <summary>Why there is no policy, where that is a fault.</summary>
    public string? Fault { get; init; }

    /// <summary>Whether a forecast is right, or rightly none.</summary>
    /// <param name="forecast">Several where chance decides.</param>
    public bool Agrees(IReadOnlyList<MailResult> forecast) =>
        (forecast.Contains(MailResult.Unknown) || forecast.Contains(Result)) && (IsTold(forecast) || Kind.CannotBeTold is not null);

    public bool IsRight => Fault is null && (Attempt is null || (Agrees(Before) && Agrees(InForce)));

    public bool IsUndecided => Attempt is not null && IsRight && !(IsTold(Before) && IsTold(InForce));

    private static bool IsTold(IReadOnlyList<MailResult> forecast) => forecast is [not MailResult.Unknown];
}
