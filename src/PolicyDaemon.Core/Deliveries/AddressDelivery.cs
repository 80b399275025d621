using PolicyDaemon.Core.Observations;

namespace PolicyDaemon.Core.Deliveries;

/// <summary>What becomes of a mail when Postfix tries one address of its destination.</summary>
public enum AddressResult
{
    /// <summary>Unknown: no probe saw the address, or what it saw does not decide.</summary>
    Unknown,

    /// <summary>The mail is not taken; Postfix goes on to the next address, and after the last one the mail waits.</summary>
    Skipped,

    /// <summary>The mail is sent over TLS, at a level that authenticates to an authenticated server.</summary>
    SentOverTls,

    SentInPlainText,

    /// <summary>The server says 5xx before any mail: it is returned at once, whatever other addresses there are (smtp_bulk_fail).</summary>
    Returned,
}

/// <summary>What one address does to a mail at one level, and why it is not sent there.</summary>
/// <param name="Result">The result of the first attempt.</param>
/// <param name="Why">Why the mail is not sent there; null where it is.</param>
public readonly record struct AddressDelivery(AddressResult Result, ProbeOutcome? Why = null)
{
    /// <summary>What later attempts come to, where that is another thing: at may, Postfix then does without the TLS that failed.</summary>
    public AddressResult Later { get; init; } = Result;

    /// <summary>What a certificate of another key algorithm would meet, which the server has and Postfix does not negotiate; null where it is as good.</summary>
    public ProbeOutcome? OtherCertificate { get; init; }

    /// <summary>The reason why the result cannot be told, where <see cref="Why"/> does not say it; for people.</summary>
    public string? Because { get; init; }

    public bool IsSent => Result is AddressResult.SentOverTls or AddressResult.SentInPlainText;

    /// <summary>True where the server itself is why the mail is not sent, and not the way to it.</summary>
    public bool IsRefused => Result == AddressResult.Returned || (Result == AddressResult.Skipped && Why is { } why && !why.IsOfTheWay());
}
