namespace PolicyDaemon.Core.Policies;

/// <summary>How long an answer may be. Longer is an error to Postfix; a policy that does not fit is a temporary error, never a shortened list.</summary>
public static class AnswerLimits
{
    /// <summary>Postfix: socketmap_max_reply_size default, octets of the netstring's payload with the status word (socketmap_table(5)).</summary>
    public const int SocketmapPayload = 100_000;

    /// <summary>Octets of policy text after <c>OK </c>.</summary>
    public const int SocketmapText = SocketmapPayload - 3;

    /// <summary>Postfix: DICT_TCP_MAXLEN, octets of a reply line with its line feed (tcp_table(5)).</summary>
    public const int TcpTableLine = 4096;
}
