using PolicyDaemon.Administration.Survey;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Deliveries;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Store;
using PolicyDaemon.Store.Engines;

namespace PolicyDaemon.Administration.Status;

/// <summary>Keeps what is open, counted.</summary>
public static class KeptFindings
{
    private const int Share = 20;

    // What is read so quickly is read anew for everybody who asks.
    private static readonly TimeSpan Quick = TimeSpan.FromMilliseconds(25);

    // Long enough for 100,000 findings. Nobody is to read that nothing is open because it was not counted yet.
    private static readonly TimeSpan First = TimeSpan.FromSeconds(5);

    /// <param name="settings">The configuration.</param>
    /// <param name="time">The clock.</param>
    /// <param name="mail">What waits; null where that is not known.</param>
    /// <param name="patience">How long a caller waits where it is counted anew.</param>
    /// <param name="failed">Told what made it fail, other than the store.</param>
    public static Kept<FindingSurvey> Of(Settings settings, TimeProvider time, Func<WaitingMail?> mail, TimeSpan patience, Action<Exception> failed)
    {
        ArgumentNullException.ThrowIfNull(mail);
        ArgumentNullException.ThrowIfNull(failed);
        return new Kept<FindingSurvey>(
            Find, took => took <= Quick ? TimeSpan.Zero : Share * took, time, patience, failed, First > patience ? First : patience);

        FindingSurvey Find()
        {
            var began = time.GetTimestamp();
            try
            {
                using var store = PolicyStore.Open(settings.Database, StoreAccess.Read, time);
                return FindingSurvey.Of(store, mail());
            }
            finally
            {
                if (time.GetElapsedTime(began) >= KeptSurvey.Long)
                    ProcessMemory.GiveBackMuch();
            }
        }
    }
}
