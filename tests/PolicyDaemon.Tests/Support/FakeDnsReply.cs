namespace PolicyDaemon.Tests.Support;

/// <summary>What the fake resolver says to one question.</summary>
internal sealed record FakeDnsReply
{
    public List<(string Owner, int Type, byte[] Data)> Records { get; init; } = [];

    public int Code { get; init; }

    /// <summary>AD is set.</summary>
    public bool Authentic { get; init; }

    /// <summary>SERVFAIL unless checking is disabled.</summary>
    public bool Bogus { get; init; }

    /// <summary>No reply at all.</summary>
    public bool Silent { get; init; }

    /// <summary>The reply comes when this ends.</summary>
    public Task? Held { get; init; }

    /// <summary>Of each record, in seconds.</summary>
    public int Ttl { get; init; } = 60;

    /// <summary>An absence comes with a SOA record that lets it live so many seconds; null: without one.</summary>
    public int? AbsenceLife { get; init; }

    /// <summary>TC over UDP: the client must come back over TCP.</summary>
    public bool Truncated { get; init; }
}
