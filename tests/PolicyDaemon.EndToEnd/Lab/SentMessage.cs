namespace PolicyDaemon.EndToEnd.Lab;

/// <summary>A message in the sending Postfix' queue.</summary>
public sealed class SentMessage(string queueId, string messageId)
{
    public string QueueId => queueId;

    public string MessageId => messageId;

    /// <summary>How many delivery attempts the test has seen already.</summary>
    internal int AttemptsSeen { get; set; }
}
