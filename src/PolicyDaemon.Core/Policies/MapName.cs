namespace PolicyDaemon.Core.Policies;

/// <summary>The maps served: the same entries in two dialects, chosen by the socketmap's NAME. tcp_table has no names and is <see cref="TlsPolicy"/>.</summary>
public enum MapName
{
    /// <summary><c>tlspolicy</c>: the syntax that every Postfix since <c>postfix.version</c> understands.</summary>
    TlsPolicy,

    /// <summary><c>tlspolicy-tlsrpt</c>: with the attributes of Postfix 3.10 and later.</summary>
    TlsPolicyTlsRpt,
}
