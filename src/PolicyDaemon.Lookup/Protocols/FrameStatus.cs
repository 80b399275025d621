namespace PolicyDaemon.Lookup.Protocols;

/// <summary>What a parser found at the start of a buffer.</summary>
internal enum FrameStatus
{
    /// <summary>The beginning of something valid; more bytes are needed.</summary>
    Incomplete,

    /// <summary>One whole frame, which was consumed.</summary>
    Complete,

    /// <summary>Something that cannot become valid: the connection ends, there is no way to resynchronise.</summary>
    Malformed,
}
