using PolicyDaemon.EndToEnd.Lab;

namespace PolicyDaemon.EndToEnd.Forecasts;

/// <summary>What became of a mail.</summary>
internal enum MailResult
{
    /// <summary>Nothing is known: the tool cannot tell.</summary>
    Unknown,

    /// <summary>Delivered over TLS.</summary>
    SentOverTls,

    /// <summary>Delivered in plain text.</summary>
    SentInPlainText,

    /// <summary>It waits.</summary>
    Deferred,

    /// <summary>It came back at once.</summary>
    Returned,
}

internal static class MailResults
{
    /// <summary>What Postfix' log says, and of a mail that was delivered the server that took it.</summary>
    public static MailResult Of(DeliveryAttempt attempt, bool wasOverTls) => attempt.Status switch
    {
        "sent" => wasOverTls ? MailResult.SentOverTls : MailResult.SentInPlainText,
        "deferred" => MailResult.Deferred,
        "bounced" => MailResult.Returned,
        _ => throw new InvalidOperationException($"Postfix says {attempt.Status}:\n{attempt.Log}"),
    };

    public static string Name(this MailResult result) => result switch
    {
        MailResult.SentOverTls => "sent over TLS",
        MailResult.SentInPlainText => "sent in plain text",
        MailResult.Deferred => "deferred",
        MailResult.Returned => "returned",
        _ => "unknown",
    };
}
