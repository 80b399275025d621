namespace PolicyDaemon.Core.Deliveries;

/// <summary>Why Postfix defers a message, as its log and <c>postqueue -j</c> say it.</summary>
public static class DeferralReason
{
    // Of Postfix's own: smtp_tls_policy.c, smtp_proto.c (smtp_start_tls), tls_dane.c. "client TLS configuration problem" is a policy lookup that failed.
    private static readonly string[] Own = ["TLS", "Server certificate not ", "DNSSEC", "DANE", "Map lookup", "policy lookup"];

    /// <summary>True where TLS or the policy is the reason, and neither the route nor what the server said.</summary>
    public static bool IsOfPolicy(string reason)
    {
        ArgumentNullException.ThrowIfNull(reason);
        // "host mx.example.com[192.0.2.1] said: 530 Must issue a STARTTLS command first" is the server's word.
        return !reason.Contains(" said: ", StringComparison.Ordinal) && Array.Exists(Own, word => reason.Contains(word, StringComparison.OrdinalIgnoreCase));
    }
}
